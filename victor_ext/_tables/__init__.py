"""Files of rows, as people and spreadsheets write them.

`sources.records_of` reads all of them; `row_file.RowFile` says how a file is written. Below them
are `formats` (amounts and dates) and `texts` (damaged cells, export to CSV). `temporary` has a
database for more rows than fit into memory.
"""
