// Runs before the first paint, so that a remembered theme does not flash. It is
// a file of its own because the Content-Security-Policy allows no inline script.
try {
  const theme = localStorage.getItem('weir.theme')
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme
} catch {
  // Storage may be forbidden; the system's theme stands.
}
