"""In which words? The catalogues, one folder a language, one .po file a room."""
