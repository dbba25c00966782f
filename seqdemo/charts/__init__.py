"""Tidy tables to charts; no torch, no arithmetic of models, no Streamlit."""
