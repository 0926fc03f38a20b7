"""The review app: draws what `btfer.review` says and sends back what people judge."""
