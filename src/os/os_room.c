// Placeholder translation unit: replaced by this room's first real file.
