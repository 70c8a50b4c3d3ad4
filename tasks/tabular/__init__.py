"""Tables as people export them: encodings, what stands between the columns, days in any order. No job of its own."""
