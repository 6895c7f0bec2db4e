"""From the files of a run to pages, figures and workbooks for people; it reads files and computes no result."""
