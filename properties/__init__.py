"""What must hold, and the engines that look for a violation."""
