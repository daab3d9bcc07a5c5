"""Where everything is kept: tables, statements, pages, and the two databases they run on."""
