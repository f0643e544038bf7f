import type { ReactNode } from 'react'

import { m } from '../messages'
import { LanguageToggle } from '../shell/LanguageToggle'
import { ThemeToggle } from '../shell/ThemeToggle'
import { Wordmark } from '../ui/Logo'

/** Streamlines that come in high, pass the weir and go on lower. */
function Stream() {
  return (
    <svg viewBox="0 0 800 900" preserveAspectRatio="xMidYMid slice" className="absolute inset-0 size-full" aria-hidden="true">
      <g fill="none" stroke="currentColor" strokeWidth="1.5">
        {Array.from({ length: 17 }, (_, i) => {
          const high = 120 + i * 30
          const low = 330 + i * 30 + i * i * 0.35
          const crest = 330 - i * 5
          return (
            <path
              key={i}
              opacity={0.95 - i * 0.052}
              d={`M-10 ${high}H${crest}C${crest + 150} ${high} ${crest + 90} ${low} ${crest + 260} ${low}H810`}
            />
          )
        })}
      </g>
    </svg>
  )
}

export function AuthLayout({ title, intro, children }: { title: string; intro: string; children: ReactNode }) {
  return (
    <div className="grid min-h-dvh lg:grid-cols-[minmax(26rem,34rem)_1fr]">
      <main className="flex flex-col bg-surface px-6 py-6 sm:px-12">
        <header className="flex items-center justify-between">
          <Wordmark />
          <div className="flex items-center gap-1">
            <LanguageToggle className="h-9 rounded-lg px-2.5 text-sm text-muted transition hover:bg-sunken hover:text-ink" />
            <ThemeToggle />
          </div>
        </header>
        <div className="mx-auto my-auto w-full max-w-sm py-10">
          <h1 className="text-2xl font-semibold tracking-tight">{title}</h1>
          <p className="mt-1 mb-7 text-muted">{intro}</p>
          {children}
        </div>
      </main>
      <aside className="relative hidden overflow-hidden bg-soft text-accent lg:block" aria-hidden="true">
        <Stream />
        <p className="absolute right-14 bottom-12 left-14 max-w-md text-3xl leading-tight font-semibold tracking-tight text-ink">
          {m.tagline}
        </p>
      </aside>
    </div>
  )
}
