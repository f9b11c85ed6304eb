"""What every chapter shares; knows no algorithm."""
