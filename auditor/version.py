"""The version of the product, which the wheel takes from here."""

VERSION = "0.1.0"
