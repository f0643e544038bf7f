import { useEffect, type ReactNode } from 'react'

import { m } from '../messages'

/** A page of the settings: its title, what it is for, and its cards. */
export function Page({ title, intro, children }: { title: string; intro?: ReactNode; children?: ReactNode }) {
  useEffect(() => {
    document.title = `${title} · ${m.product}`
  }, [title])
  return (
    <>
      <header>
        <h1 className="text-xl font-semibold tracking-tight">{title}</h1>
        {intro && <p className="mt-1 max-w-2xl text-muted">{intro}</p>}
      </header>
      {children}
    </>
  )
}
