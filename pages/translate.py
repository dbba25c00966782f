import streamlit as st

from seqdemo.ui.translate import measured, translate

st.title("Type a date. A model writes it as year-month-day.", anchor=False)
translate.render()
measured.render()
