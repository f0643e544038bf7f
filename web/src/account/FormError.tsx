import { Icon } from '../ui/Icon'
import { reason } from '../ui/Answer'

/** What the server said of the whole form. */
export function FormError({ error }: { error: unknown }) {
  return (
    <div role="alert" className="empty:hidden">
      {error !== null && (
        <p className="flex items-start gap-2 rounded-lg bg-sunken px-3 py-2.5 text-sm text-bad">
          <Icon name="alert" className="mt-0.5 size-4" />
          {reason(error)}
        </p>
      )}
    </div>
  )
}
