"""What the post leaves out, one subject a file. Of the top it imports the two pendulum modules, and no other."""
