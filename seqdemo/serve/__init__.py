"""What the server answers beside the pages, and how; knows neither Streamlit nor the pages."""
