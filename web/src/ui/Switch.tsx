export function Switch({ label, checked, onChange }: { label: string; checked: boolean; onChange(checked: boolean): void }) {
  return (
    <label className="flex cursor-pointer items-center gap-2 text-sm whitespace-nowrap">
      <span className="relative inline-flex">
        <input
          type="checkbox"
          role="switch"
          checked={checked}
          aria-checked={checked}
          onChange={(e) => onChange(e.target.checked)}
          className="peer h-5 w-9 cursor-pointer appearance-none rounded-full bg-edge transition checked:bg-accent"
        />
        <span className="pointer-events-none absolute top-0.5 left-0.5 size-4 rounded-full bg-surface transition peer-checked:translate-x-4" />
      </span>
      {label}
    </label>
  )
}
