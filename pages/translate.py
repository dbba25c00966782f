import streamlit as st

from seqdemo.ui.translate import translate

st.title("Type a date. A model writes it as year-month-day.", anchor=False)
translate.render()
translate.measured()
