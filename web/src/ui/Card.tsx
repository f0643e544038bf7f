import { useId, type ReactNode } from 'react'

interface Props {
  title: string
  /** Beside the title: what the card shows, in small letters. */
  note?: string | undefined
  /** At the right of the title. */
  aside?: ReactNode
  className?: string
  children: ReactNode
}

export function Card({ title, note, aside, className = '', children }: Props) {
  const id = useId()
  return (
    <section
      aria-labelledby={id}
      className={`flex min-w-0 flex-col rounded-2xl border border-line bg-surface p-4 shadow-card sm:p-5 ${className}`}
    >
      <header className="mb-3 flex min-h-8 flex-wrap items-center justify-between gap-x-3 gap-y-1">
        <h2 className="text-base font-semibold tracking-tight">
          <span id={id}>{title}</span>
          {note && <span className="ml-2 text-sm font-normal tracking-normal text-muted">{note}</span>}
        </h2>
        {aside && <div className="flex items-center gap-3">{aside}</div>}
      </header>
      {children}
    </section>
  )
}
