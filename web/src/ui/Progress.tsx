/** A bar of what is done of a whole, with its label read out. */
export function Progress({ label, percent, full = false }: { label: string; percent: number; full?: boolean }) {
  return (
    <div
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(percent)}
      className="h-2 overflow-hidden rounded-full bg-sunken"
    >
      <div
        className={`h-full rounded-full transition-[width] duration-500 ${full ? 'bg-bad' : 'bg-accent'}`}
        style={{ width: `${Math.min(100, percent)}%` }}
      />
    </div>
  )
}
