import { m } from '../messages'

/** The mark: water held at one height, and let down to another. */
export function Mark({ className = 'size-8' }: { className?: string }) {
  return (
    <svg viewBox="0 0 32 32" className={className} aria-hidden="true">
      <rect width="32" height="32" rx="8" className="fill-accent" />
      <g fill="none" className="stroke-on-accent" strokeWidth="2.4" strokeLinecap="round">
        <path d="M5 9h8c5 0 4 10 9 10h5" />
        <path d="M5 14h6c5 0 4 9 9 9h7" opacity=".7" />
        <path d="M5 19h4c4 0 4 8 9 8h5" opacity=".4" />
      </g>
    </svg>
  )
}

export function Wordmark() {
  return (
    <span className="flex items-center gap-2.5">
      <Mark className="size-7" />
      <span className="text-lg font-semibold tracking-tight">{m.product}</span>
    </span>
  )
}
