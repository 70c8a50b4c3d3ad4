"""Where the energy goes and what another tariff would cost: each tip with how it was reckoned."""
