"""What workers do: run the chain on a study, keep its results, and send them where the rule says."""
