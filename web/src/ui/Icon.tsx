const paths = {
  sun: 'M12 4V2m0 20v-2m8-8h2M2 12h2m13.7-5.7 1.4-1.4M4.9 19.1l1.4-1.4m0-11.4L4.9 4.9m14.2 14.2-1.4-1.4M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8Z',
  moon: 'M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5Z',
  chevron: 'm6 9 6 6 6-6',
  close: 'M6 6l12 12M18 6 6 18',
  retry: 'M4 12a8 8 0 0 1 13.7-5.7L20 8.5M20 4v4.5h-4.5M20 12a8 8 0 0 1-13.7 5.7L4 15.5M4 20v-4.5h4.5',
  copy: 'M9 9h10v11H9zM5 15V4h10',
  check: 'm5 12.5 4.5 4.5L19 7.5',
  eye: 'M2 12s3.6-6.5 10-6.5S22 12 22 12s-3.6 6.5-10 6.5S2 12 2 12Zm10 3a3 3 0 1 0 0-6 3 3 0 0 0 0 6Z',
  eyeOff: 'M4 4l16 16M9.9 5.8A10 10 0 0 1 12 5.5c6.4 0 10 6.5 10 6.5a17 17 0 0 1-3 3.6M6.2 7.6A16.5 16.5 0 0 0 2 12s3.6 6.5 10 6.5a10 10 0 0 0 4.4-1',
  logout: 'M14 5H6v14h8M11 12h10m-3.5-3.5L21 12l-3.5 3.5',
  gear: 'M10.3 3.6 9.8 6a6.5 6.5 0 0 0-1.6.9l-2.3-.8-1.7 3 1.8 1.6a6.6 6.6 0 0 0 0 1.9l-1.8 1.6 1.7 3 2.3-.8a6.5 6.5 0 0 0 1.6.9l.5 2.4h3.4l.5-2.4a6.5 6.5 0 0 0 1.6-.9l2.3.8 1.7-3-1.8-1.6a6.6 6.6 0 0 0 0-1.9l1.8-1.6-1.7-3-2.3.8a6.5 6.5 0 0 0-1.6-.9l-.5-2.4ZM12 14.4a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.6Z',
  language: 'M3.5 12h17M12 3.5c-5 5-5 12 0 17 5-5 5-12 0-17Zm0 17a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17Z',
  plus: 'M12 5v14M5 12h14',
  share: 'M12 15V3m0 0L8 7m4-4 4 4M5 11v9h14v-9',
  alert: 'M12 8v5m0 3.5v.01M10.3 4 2.5 18a2 2 0 0 0 1.7 3h15.6a2 2 0 0 0 1.7-3L13.7 4a2 2 0 0 0-3.4 0Z',
} as const

export type IconName = keyof typeof paths

/** A decorative icon; what it means is said beside it or by its button's label. */
export function Icon({ name, className = 'size-4' }: { name: IconName; className?: string }) {
  return (
    <svg
      viewBox="0 0 24 24"
      className={`${className} shrink-0`}
      fill="none"
      stroke="currentColor"
      strokeWidth="1.75"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path d={paths[name]} />
    </svg>
  )
}
