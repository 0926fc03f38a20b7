"""Which runs there are to do, what each will cost, and doing them."""
