"""What the post leaves out. Nothing in here imports a module of the top."""
