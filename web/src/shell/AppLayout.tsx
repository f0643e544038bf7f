import { Outlet } from '@tanstack/react-router'

import { m } from '../messages'
import { TopBar } from './TopBar'

export function AppLayout() {
  return (
    <>
      <a
        href={`${location.pathname}${location.search}#content`} // the page has a <base>
        className="fixed top-2 left-2 z-30 -translate-y-16 rounded-lg bg-accent px-4 py-2 font-medium text-on-accent focus:translate-y-0"
      >
        {m.skip}
      </a>
      <TopBar />
      <Outlet />
    </>
  )
}
