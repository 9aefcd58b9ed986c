"""The renderings of the status page: pure functions from `core.page.StatusPage` to text."""
