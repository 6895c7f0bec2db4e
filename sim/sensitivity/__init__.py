"""Which uncertain settings decide: they are drawn many times, lived with the same luck, and their effects told apart.

draw      distributions -> settings of every evaluation
live      evaluations -> results, in batches, never twice
index     results -> Sobol indices, coefficients of ranks, one setting at a time, and what luck alone does
question  all of it, from a question to the files of its folder
"""
