import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { Page } from './page.tsx'

const place = document.getElementById('page')
if (place === null) throw new Error('the page has no place to be shown')
// A page that a browser kept for its back button may show what was for somebody who has signed out since.
addEventListener('pageshow', ({ persisted }) => {
  if (persisted) location.reload()
})
createRoot(place).render(
  <StrictMode>
    <Page />
  </StrictMode>,
)
