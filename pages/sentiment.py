import streamlit as st

from seqdemo.ui.sentiment import live, review_table

st.title("Type a review. Five models read it as you write.", anchor=False)
live.render()
review_table.render()
