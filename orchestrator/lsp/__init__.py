"""The language server: what `dsl.editor` knows, over the Language Server Protocol."""
