"""From kept shares of tissue to one training sample: placed, folded, weighted, blemished and normalised."""
