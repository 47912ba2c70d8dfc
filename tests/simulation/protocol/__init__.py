"""The write protocol of one field of one link, visited exhaustively: every story there can be."""
