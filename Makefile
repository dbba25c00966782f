# Short names for single lines; CONTRIBUTING.md says what they are for.
.PHONY: app check format lint test

app:
	streamlit run app.py --server.fileWatcherType auto

check:
	.ci/run

format:
	ruff check --fix .
	ruff format .

lint:
	ruff check .
	ruff format --check .
	mypy

test:
	pytest
