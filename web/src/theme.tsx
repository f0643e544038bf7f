import { createContext, useCallback, useContext, useMemo, useState, useSyncExternalStore, type ReactNode } from 'react'

export type Theme = 'light' | 'dark'

const KEY = 'weir.theme' // public/theme.js reads it too
const dark = matchMedia('(prefers-color-scheme: dark)')

function onSystemChange(changed: () => void) {
  dark.addEventListener('change', changed)
  return () => dark.removeEventListener('change', changed)
}

function remembered(): Theme | undefined {
  const set = document.documentElement.dataset.theme
  return set === 'light' || set === 'dark' ? set : undefined
}

const ThemeContext = createContext<{ theme: Theme; toggle: () => void }>({
  theme: 'light',
  toggle: () => {},
})

export function ThemeProvider({ children }: { children: ReactNode }) {
  const system: Theme = useSyncExternalStore(onSystemChange, () => dark.matches) ? 'dark' : 'light'
  const [chosen, setChosen] = useState(remembered)
  const theme = chosen ?? system

  const toggle = useCallback(() => {
    const next = theme === 'dark' ? 'light' : 'dark'
    document.documentElement.dataset.theme = next
    setChosen(next)
    try {
      localStorage.setItem(KEY, next)
    } catch {
      // Storage may be forbidden; the choice then lasts until the page is left.
    }
  }, [theme])

  const value = useMemo(() => ({ theme, toggle }), [theme, toggle])
  return <ThemeContext value={value}>{children}</ThemeContext>
}

export const useTheme = () => useContext(ThemeContext)
