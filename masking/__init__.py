"""Nobody sees a real number: party ids, the vault behind them, neutral caller ids."""
