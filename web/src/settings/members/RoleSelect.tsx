import { Icon } from '../../ui/Icon'
import type { Role } from '../api'
import { t } from '../texts'

export const roles: Role[] = ['viewer', 'editor', 'admin']

interface Props {
  label: string
  role: Role
  disabled: boolean
  onChange: (role: Role) => void
}

/** A role that is changed where it stands. */
export function RoleSelect({ label, role, disabled, onChange }: Props) {
  return (
    <div className="relative">
      <select
        aria-label={label}
        value={role}
        disabled={disabled}
        onChange={(e) => onChange(roles.find((r) => r === e.target.value)!)}
        className="h-8 appearance-none rounded-lg bg-sunken pr-8 pl-3 text-sm font-medium hover:bg-soft"
      >
        {roles.map((r) => (
          <option key={r} value={r} className="bg-surface text-ink">
            {t.roles[r]}
          </option>
        ))}
      </select>
      <Icon name="chevron" className="pointer-events-none absolute top-2 right-2 size-4 text-muted" />
    </div>
  )
}
