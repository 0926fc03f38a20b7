"""What a trained network predicts on any photo."""
