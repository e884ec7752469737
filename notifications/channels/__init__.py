"""The wires that carry a message; Apprise stays behind them."""
