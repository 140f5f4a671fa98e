"""How groups fare, by what people declared of themselves or by the category of any table."""
