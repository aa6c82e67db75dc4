"""What the post leaves out, one subject a file. It imports the two pendulum modules, and no other of the eight."""
