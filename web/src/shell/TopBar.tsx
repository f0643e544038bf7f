import { Link } from '@tanstack/react-router'

import { m } from '../messages'
import { ShareButton } from '../share/ShareButton'
import { Wordmark } from '../ui/Logo'
import { AccountMenu } from './AccountMenu'
import { ProjectSwitcher } from './ProjectSwitcher'
import { SettingsLink } from './SettingsLink'
import { ThemeToggle } from './ThemeToggle'

export function TopBar() {
  return (
    <header className="sticky top-0 z-20 border-b border-line bg-surface/90 backdrop-blur">
      <div className="mx-auto flex h-14 max-w-[90rem] items-center gap-2 px-4 sm:gap-4 sm:px-8">
        <Link to="/" aria-label={m.product} className="rounded-lg max-sm:[&_span_span]:sr-only">
          <Wordmark />
        </Link>
        <ProjectSwitcher />
        <div className="ml-auto flex items-center gap-1">
          <ShareButton />
          <ThemeToggle />
          <SettingsLink />
          <AccountMenu />
        </div>
      </div>
    </header>
  )
}
