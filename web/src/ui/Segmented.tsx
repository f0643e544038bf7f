import { useId } from 'react'

interface Props<T extends string> {
  label: string
  options: readonly T[]
  names: Record<NoInfer<T>, string>
  value: NoInfer<T>
  onChange(value: NoInfer<T>): void
}

/** A choice of few, as radio buttons: arrow keys move it. */
export function Segmented<T extends string>({ label, options, names, value, onChange }: Props<T>) {
  const name = useId()
  return (
    <fieldset className="flex rounded-lg bg-sunken p-0.5 text-sm">
      <legend className="sr-only">{label}</legend>
      {options.map((option) => (
        <label key={option} className="relative">
          <input
            type="radio"
            name={name}
            value={option}
            checked={option === value}
            onChange={() => onChange(option)}
            className="peer absolute inset-0 cursor-pointer appearance-none rounded-md"
          />
          <span className="pointer-events-none block rounded-md px-2.5 py-1 whitespace-nowrap text-muted transition peer-checked:bg-raised peer-checked:font-medium peer-checked:text-ink peer-checked:shadow-card peer-hover:text-ink">
            {names[option]}
          </span>
        </label>
      ))}
    </fieldset>
  )
}
