"""State machines that drive a target and the model side by side."""
