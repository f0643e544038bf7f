import { m } from '../messages'
import { useTheme } from '../theme'
import { IconButton } from '../ui/Button'

export function ThemeToggle() {
  const { theme, toggle } = useTheme()
  return (
    <IconButton
      icon={theme === 'dark' ? 'sun' : 'moon'}
      label={theme === 'dark' ? m.theme.toLight : m.theme.toDark}
      onClick={toggle}
    />
  )
}
