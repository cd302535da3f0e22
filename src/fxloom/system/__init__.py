"""What the package needs from the machine: locks between processes and a private cache folder."""
