// Runs before anything is painted. Stands alone: see vite.config.ts.
try {
  const theme = localStorage.getItem('clew.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset['theme'] = theme;
} catch {
  // storage is refused: the system's theme it is
}
