"""What the assistant answers with: solved tickets for agents, published articles for customers. Pure.

`index.build` makes an index of texts, `Index.dump` and `load` keep it in a form that runs nothing, `asking` ranks.
Nothing here knows a database: the index holds fingerprints of words and the ids of tickets and articles, and whoever
asks fetches the texts by these ids, so that what was deleted, changed or unpublished since is not told.
"""
