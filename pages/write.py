import streamlit as st

from seqdemo.ui.write import measured, write

st.title("Begin a text, and three models write on", anchor=False)
write.render()

st.header("What are they worth? Measured on real reviews", anchor=False, divider="gray")
measured.render()
