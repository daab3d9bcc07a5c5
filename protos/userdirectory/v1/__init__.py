"""Version 1 of the contract. The modules are generated from the `.proto` files."""
