import type { ReactNode } from 'react'

/** A list of things with what can be done to each. */
export function Rows({ label, children }: { label: string; children: ReactNode }) {
  return (
    <ul aria-label={label} className="grid">
      {children}
    </ul>
  )
}

interface Props {
  title: ReactNode
  /** Below the title, in small letters. */
  facts?: ReactNode
  /** At the right, below the rest on a narrow screen. */
  actions?: ReactNode
  /** Over and not good any more. */
  faded?: boolean
  /** Below all of it. */
  children?: ReactNode
}

export function Row({ title, facts, actions, faded = false, children }: Props) {
  return (
    <li className="border-t border-line py-3 first:border-t-0 first:pt-0 last:pb-0">
      <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2">
        <div className={`min-w-0 flex-1 basis-60 ${faded ? 'text-muted' : ''}`}>
          <p className="flex flex-wrap items-center gap-x-2 gap-y-1 font-medium wrap-anywhere">{title}</p>
          {facts && <p className="mt-0.5 flex flex-wrap gap-x-3 text-sm wrap-anywhere text-muted">{facts}</p>}
        </div>
        {actions && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
      </div>
      {children}
    </li>
  )
}
