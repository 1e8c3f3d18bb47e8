"""What arrives at the socket, byte for byte, and what goes back."""
